// Pins the Gateway API whose CRDs the lab applies; there is no Go code here.
module lab.local/gateway-api

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.1
