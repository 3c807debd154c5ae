module sparkhost.io/tests/clusters/kubelet

go 1.22
