/**
 * Addresses inside a lab. They are the same in every lab, as each has its own network namespace. One block of pod
 * addresses and one node: the controller manager can hand out this block only.
 */
export const POD_CIDR = "10.244.0.0/24";
export const SERVICE_CIDR = "10.96.0.0/16";
/** The service `kubernetes`: the first address of the range, by definition. */
export const SERVICE_API = "10.96.0.1";
/** The cluster's name server: the address that kubeadm and others give it. */
export const SERVICE_DNS = "10.96.0.10";
export const SERVICE_DOMAIN = "cluster.local";
