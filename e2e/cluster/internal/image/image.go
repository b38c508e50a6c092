// Package image writes container images as OCI archives, without a container engine.
//
// The same input gives the same bytes: times are fixed and files are in the order given. The format is that of the
// OCI image layout, https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md, in a tar file.
package image

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// epoch is when every file of every image was made.
var epoch = time.Unix(0, 0).UTC()

// File is a file of the machine and where it is in the image.
type File struct {
	Target string
	Source string
}

// Image is what is to be written.
type Image struct {
	// Name with registry and tag.
	Name       string
	User       string
	Entrypoint []string
	WorkingDir string
	Env        []string
	// Arch as Go names it.
	Arch  string
	Files []File
}

// ParseFile reads TARGET=SOURCE.
func ParseFile(text string) (File, error) {
	target, source, found := strings.Cut(text, "=")
	if !found || source == "" || !strings.HasPrefix(target, "/") || path.Clean(target) != target || target == "/" {
		return File{}, fmt.Errorf("%q is no file for an image: write /path/in/image=file", text)
	}
	return File{Target: target, Source: source}, nil
}

// WriteFile writes an archive. The file is there wholly or not at all.
func (i Image) WriteFile(name string) error {
	temporary, err := os.CreateTemp(path.Dir(name), ".image-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	defer temporary.Close()
	if err := i.Write(temporary); err != nil {
		return fmt.Errorf("image %s: %w", i.Name, err)
	}
	if err := temporary.Chmod(0o644); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}

// Write writes the archive.
func (i Image) Write(out io.Writer) error {
	if !strings.Contains(path.Base(i.Name), ":") {
		return fmt.Errorf("the name %q has no tag: write NAME:TAG", i.Name)
	}
	digest := sha256.New()
	size := &counter{}
	if err := i.layer(io.MultiWriter(digest, size)); err != nil {
		return err
	}
	layer := descriptor{MediaType: mediaLayer, Digest: "sha256:" + hex.EncodeToString(digest.Sum(nil)), Size: size.bytes}
	config, err := json.Marshal(i.config(layer.Digest))
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest,
		"config": describe(mediaConfig, config), "layers": []descriptor{layer},
	})
	if err != nil {
		return err
	}
	entry := describe(mediaManifest, manifest)
	entry.Annotations = map[string]string{
		"io.containerd.image.name":          i.Name,
		"org.opencontainers.image.ref.name": i.Name,
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []descriptor{entry}})
	if err != nil {
		return err
	}
	archive := tar.NewWriter(out)
	for _, part := range []struct {
		name    string
		content []byte
	}{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", index},
		{blob(entry.Digest), manifest},
		{blob(describe(mediaConfig, config).Digest), config},
	} {
		if err := archive.WriteHeader(header(part.name, 0o644, int64(len(part.content)))); err != nil {
			return err
		}
		if _, err := archive.Write(part.content); err != nil {
			return err
		}
	}
	if err := archive.WriteHeader(header(blob(layer.Digest), 0o644, layer.Size)); err != nil {
		return err
	}
	if err := i.layer(archive); err != nil {
		return err
	}
	return archive.Close()
}

// layer writes the image's files. It is called twice and writes the same.
func (i Image) layer(out io.Writer) error {
	layer := tar.NewWriter(out)
	var made []string
	for _, file := range i.Files {
		for _, directory := range parents(file.Target) {
			if slices.Contains(made, directory) {
				continue
			}
			made = append(made, directory)
			entry := header(strings.TrimPrefix(directory, "/")+"/", 0o755, 0)
			entry.Typeflag = tar.TypeDir
			if err := layer.WriteHeader(entry); err != nil {
				return err
			}
		}
		if err := copyFile(layer, file); err != nil {
			return err
		}
	}
	return layer.Close()
}

func copyFile(layer *tar.Writer, file File) error {
	source, err := os.Open(file.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", file.Source)
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	if err := layer.WriteHeader(header(strings.TrimPrefix(file.Target, "/"), mode, info.Size())); err != nil {
		return err
	}
	_, err = io.Copy(layer, source)
	return err
}

func (i Image) config(layer string) map[string]any {
	workingDir := i.WorkingDir
	if workingDir == "" {
		workingDir = "/"
	}
	return map[string]any{
		"created": epoch.Format(time.RFC3339), "architecture": i.Arch, "os": "linux",
		"config":  runtimeConfig{User: i.User, Env: i.Env, Entrypoint: i.Entrypoint, WorkingDir: workingDir},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{layer}},
		"history": []map[string]string{{"created": epoch.Format(time.RFC3339)}},
	}
}

type runtimeConfig struct {
	User       string   `json:"User,omitempty"`
	Env        []string `json:"Env,omitempty"`
	Entrypoint []string `json:"Entrypoint,omitempty"`
	WorkingDir string   `json:"WorkingDir"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func describe(mediaType string, content []byte) descriptor {
	digest := sha256.Sum256(content)
	return descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(digest[:]), Size: int64(len(content))}
}

func blob(digest string) string { return "blobs/sha256/" + strings.TrimPrefix(digest, "sha256:") }

func header(name string, mode, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, ModTime: epoch, Format: tar.FormatUSTAR}
}

func parents(target string) []string {
	var found []string
	for directory := path.Dir(target); directory != "/"; directory = path.Dir(directory) {
		found = append(found, directory)
	}
	slices.Reverse(found)
	return found
}

type counter struct{ bytes int64 }

func (c *counter) Write(content []byte) (int, error) {
	c.bytes += int64(len(content))
	return len(content), nil
}
