// Command echo is what the test of the cluster runs in pods: an HTTP server that says which pod it is.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 1 && os.Args[1] == "names" {
		names(os.Args[2])
		return
	}
	if len(os.Args) > 1 {
		// Every pod leaves its name in the directory that all share.
		if err := os.WriteFile(os.Args[1]+"/"+name, nil, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		length, err := io.Copy(io.Discard, request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(answer, "%s %d\n", name, length)
	})
	log.Print("listening")
	log.Fatal(http.ListenAndServe(":8080", nil))
}

// names prints what the pods have left in the directory.
func names(directory string) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
}
