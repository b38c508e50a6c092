package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"internetdisk.dev/cluster/internal/lifecycle"
)

func nodeCommand(chosen *options) *cobra.Command {
	command := &cobra.Command{Use: "node", Short: "Take nodes away and bring them back"}
	for _, action := range []struct {
		act   lifecycle.Action
		short string
	}{
		{lifecycle.Stop, "Switch a node off: its processes and containers are killed, and it does not answer"},
		{lifecycle.Start, "Switch a node on again"},
		{lifecycle.Isolate, "Cut a node's cable: everything on it goes on, and nothing reaches it"},
		{lifecycle.Heal, "Join the cable again"},
	} {
		command.AddCommand(&cobra.Command{
			Use:   action.act.String() + " N",
			Short: action.short,
			Args:  cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, arguments []string) error {
				number, err := strconv.Atoi(arguments[0])
				if err != nil {
					return fmt.Errorf("%q is no node: say its number", arguments[0])
				}
				cluster, err := chosen.cluster()
				if err != nil {
					return err
				}
				return lifecycle.Change(cluster, number, action.act)
			},
		})
	}
	return command
}
