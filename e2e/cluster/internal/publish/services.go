package publish

import (
	"context"
	"fmt"
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// Services knows the addresses of all Services. While the API server is away it knows the last ones.
type Services struct {
	lister listers.ServiceLister
	synced cache.InformerSynced
}

// WatchServices begins to watch, until the context ends.
func WatchServices(ctx context.Context, client kubernetes.Interface) *Services {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(strip))
	services := factory.Core().V1().Services()
	watched := &Services{lister: services.Lister(), synced: services.Informer().HasSynced}
	factory.Start(ctx.Done())
	return watched
}

// strip forgets what is not asked for.
func strip(object any) (any, error) {
	if service, ok := object.(*corev1.Service); ok {
		service.ManagedFields, service.Annotations, service.Labels = nil, nil, nil
	}
	return object, nil
}

// Address is the cluster address of a Service's port.
func (s *Services) Address(wanted Service) (string, error) {
	service, err := s.lister.Services(wanted.Namespace).Get(wanted.Name)
	if err != nil {
		if !s.synced() {
			return "", fmt.Errorf("%s: the API server has not answered yet", wanted)
		}
		return "", fmt.Errorf("%s: there is no such Service", wanted)
	}
	ip := service.Spec.ClusterIP
	if ip == "" || ip == corev1.ClusterIPNone {
		return "", fmt.Errorf("%s: the Service has no cluster address", wanted)
	}
	for _, port := range service.Spec.Ports {
		if int(port.Port) == wanted.Port {
			return net.JoinHostPort(ip, strconv.Itoa(wanted.Port)), nil
		}
	}
	return "", fmt.Errorf("%s: the Service has no such port", wanted)
}
