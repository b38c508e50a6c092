package publish

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func service(name, ip string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "disk", Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: 80}}},
	}
}

func TestAddress(t *testing.T) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, one := range []*corev1.Service{service("web", "10.96.1.2"), service("headless", "None"), service("new", "")} {
		if err := store.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	synced := true
	services := &Services{lister: listers.NewServiceLister(store), synced: func() bool { return synced }}
	for _, one := range []struct {
		name string
		port int
		want string
		says string
	}{
		{"web", 80, "10.96.1.2:80", ""},
		{"web", 81, "", "no such port"},
		{"headless", 80, "", "no cluster address"},
		{"new", 80, "", "no cluster address"},
		{"gone", 80, "", "no such Service"},
	} {
		address, err := services.Address(Service{"disk", one.name, one.port})
		if address != one.want || (err == nil) != (one.says == "") || err != nil && !strings.Contains(err.Error(), one.says) {
			t.Errorf("%s:%d is at %q, %v", one.name, one.port, address, err)
		}
	}
	synced = false
	if _, err := services.Address(Service{"disk", "gone", 80}); err == nil || !strings.Contains(err.Error(), "not answered yet") {
		t.Errorf("before the first answer: %v", err)
	}
}
