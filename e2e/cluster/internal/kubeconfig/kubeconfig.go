// Package kubeconfig writes kubeconfig files with everything inside.
package kubeconfig

import (
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Write writes a kubeconfig for the user of NAME.crt and NAME.key in the directory of keys.
func Write(path, cluster, server, authority, certificate, key string) error {
	config := api.NewConfig()
	content := map[string][]byte{}
	for _, file := range []string{authority, certificate, key} {
		read, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		content[file] = read
	}
	config.Clusters[cluster] = &api.Cluster{Server: server, CertificateAuthorityData: content[authority]}
	config.AuthInfos[cluster] = &api.AuthInfo{
		ClientCertificateData: content[certificate],
		ClientKeyData:         content[key],
	}
	config.Contexts[cluster] = &api.Context{Cluster: cluster, AuthInfo: cluster}
	config.CurrentContext = cluster
	return clientcmd.WriteToFile(*config, path)
}
