// Package components is Kubernetes itself, linked in: the program becomes whichever part it is called by.
package components

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // the JSON log format
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of the client
	_ "k8s.io/component-base/metrics/prometheus/version"  // metrics of the version
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	kubectl "k8s.io/kubectl/pkg/cmd"
)

var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
	"etcd":                    etcdCommand,
}

// Names are the parts of Kubernetes the program can be.
func Names() []string {
	var names []string
	for name := range commands {
		names = append(names, name)
	}
	return names
}

// Run is the part called name. The second result says whether there is such a part.
func Run(name string, arguments []string) (code int, known bool) {
	command, known := commands[name]
	if !known {
		return 0, false
	}
	cmd := command()
	cmd.SetArgs(arguments)
	return cli.Run(cmd), true
}
