package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"internetdisk.dev/cluster/internal/image"
	"internetdisk.dev/cluster/internal/lifecycle"
	"internetdisk.dev/cluster/internal/system"
)

func imageCommand() *cobra.Command {
	made := image.Image{}
	var out string
	command := &cobra.Command{
		Use:     "image --out FILE.tar --name NAME:TAG /PATH/IN/IMAGE=FILE…",
		Short:   "Write a container image of static programs as an OCI archive; the same input gives the same bytes",
		Example: "  cluster image --out disk.tar --name example.org/disk:1 --user 65532:65532 --entrypoint /disk /disk=./disk",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, arguments []string) error {
			for _, argument := range arguments {
				file, err := image.ParseFile(argument)
				if err != nil {
					return err
				}
				made.Files = append(made.Files, file)
			}
			return made.WriteFile(out)
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "", "the archive to write")
	flags.StringVar(&made.Name, "name", "", "name of the image, with its registry and tag")
	flags.StringVar(&made.User, "user", "65532:65532", "uid:gid it runs as")
	flags.StringArrayVar(&made.Entrypoint, "entrypoint", nil, "the program, and its first arguments (repeat)")
	flags.StringVar(&made.WorkingDir, "workdir", "/", "where it runs")
	flags.StringArrayVar(&made.Env, "env", nil, "NAME=VALUE (repeat)")
	flags.StringVar(&made.Arch, "arch", system.Arch(), "architecture of the programs")
	for _, name := range []string{"out", "name", "entrypoint"} {
		if err := command.MarkFlagRequired(name); err != nil {
			panic(fmt.Sprintf("a flag without a definition: %s", name))
		}
	}
	return command
}

func loadCommand(chosen *options) *cobra.Command {
	return &cobra.Command{
		Use:   "load FILE.tar…",
		Short: "Bring OCI archives to all nodes",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, arguments []string) error {
			cluster, err := chosen.cluster()
			if err != nil {
				return err
			}
			return lifecycle.LoadImages(cluster, arguments)
		},
	}
}
