package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is an image of one program and one file of text.
func sample(t *testing.T) Image {
	t.Helper()
	directory := t.TempDir()
	program, text := filepath.Join(directory, "program"), filepath.Join(directory, "text")
	if err := errors.Join(os.WriteFile(program, []byte("machine code"), 0o700), os.WriteFile(text, []byte("words"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return Image{
		Name: "registry.localhost/disk:1.2.3", User: "65532:65532", Entrypoint: []string{"/program"}, Arch: "amd64",
		Files: []File{{"/program", program}, {"/share/doc/text", text}},
	}
}

func write(t *testing.T, image Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := image.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unpack(t *testing.T, archive []byte) (map[string][]byte, map[string]*tar.Header) {
	t.Helper()
	contents, headers := map[string][]byte{}, map[string]*tar.Header{}
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return contents, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		if contents[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
		headers[header.Name] = header
	}
}

func TestSameInputGivesSameBytes(t *testing.T) {
	one, other := sample(t), sample(t)
	later := epoch.AddDate(50, 0, 0)
	if err := os.Chtimes(other.Files[0].Source, later, later); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(write(t, one), write(t, other)) {
		t.Error("another time and another directory make another archive")
	}
}

func TestLayout(t *testing.T) {
	contents, _ := unpack(t, write(t, sample(t)))
	for name, content := range contents {
		digest, isBlob := strings.CutPrefix(name, "blobs/sha256/")
		sum := sha256.Sum256(content)
		if isBlob && digest != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is not named after its content", name)
		}
	}
	if string(contents["oci-layout"]) != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout is %s", contents["oci-layout"])
	}
	var index struct{ Manifests []descriptor }
	read(t, contents["index.json"], &index)
	if len(index.Manifests) != 1 || index.Manifests[0].Annotations["io.containerd.image.name"] != "registry.localhost/disk:1.2.3" {
		t.Fatalf("index.json is %s", contents["index.json"])
	}
	var manifest struct {
		MediaType string
		Config    descriptor
		Layers    []descriptor
	}
	read(t, contents[blob(index.Manifests[0].Digest)], &manifest)
	for _, part := range append(manifest.Layers, manifest.Config, index.Manifests[0]) {
		if int64(len(contents[blob(part.Digest)])) != part.Size {
			t.Errorf("%s is not there, or not of %d bytes", part.Digest, part.Size)
		}
	}
	var config struct {
		Architecture, OS string
		Config           runtimeConfig
		RootFS           struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	read(t, contents[blob(manifest.Config.Digest)], &config)
	if config.Architecture != "amd64" || config.OS != "linux" || config.Config.User != "65532:65532" ||
		config.Config.WorkingDir != "/" || strings.Join(config.Config.Entrypoint, " ") != "/program" {
		t.Errorf("the configuration is %+v", config)
	}
	if len(config.RootFS.DiffIDs) != 1 || config.RootFS.DiffIDs[0] != manifest.Layers[0].Digest {
		t.Errorf("an uncompressed layer is its own diff id: %v", config.RootFS.DiffIDs)
	}
	files, headers := unpack(t, contents[blob(manifest.Layers[0].Digest)])
	if string(files["program"]) != "machine code" || string(files["share/doc/text"]) != "words" {
		t.Errorf("the files are %q", files)
	}
	for name, mode := range map[string]int64{"program": 0o755, "share/": 0o755, "share/doc/": 0o755, "share/doc/text": 0o644} {
		header := headers[name]
		if header == nil || header.Mode != mode || header.Uid != 0 || !header.ModTime.Equal(epoch) {
			t.Errorf("%s is %+v", name, header)
		}
	}
}

func read(t *testing.T, content []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

func TestRefused(t *testing.T) {
	directory := t.TempDir()
	for name, spoil := range map[string]func(*Image){
		"no tag":                func(i *Image) { i.Name = "registry.localhost:5000/disk" },
		"a file that is not":    func(i *Image) { i.Files[0].Source += "-not" },
		"a directory as a file": func(i *Image) { i.Files[0].Source = directory },
	} {
		image, out := sample(t), filepath.Join(directory, "out.tar")
		spoil(&image)
		if err := image.WriteFile(out); err == nil {
			t.Errorf("%s is taken", name)
		}
		left, err := os.ReadDir(directory)
		if err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v behind, %v", name, left, err)
		}
	}
}

func TestParseFile(t *testing.T) {
	if file, err := ParseFile("/bin/disk=target/a=b"); err != nil || file != (File{"/bin/disk", "target/a=b"}) {
		t.Errorf("%v, %v", file, err)
	}
	for _, text := range []string{"", "/disk", "/disk=", "disk=file", "/=file", "/a/../b=file", "/a/=file", "=file"} {
		if file, err := ParseFile(text); err == nil {
			t.Errorf("%q is taken for %v", text, file)
		}
	}
}
