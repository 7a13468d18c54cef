/**
 * Addresses inside a lab. They are the same in every lab, as each has its own network namespace. The controller manager
 * can allocate only one block of pod addresses, for the one node.
 */
export const POD_CIDR = "10.244.0.0/24";
export const SERVICE_CIDR = "10.96.0.0/16";
/** The Service `kubernetes`: the first address of the range, by definition. */
export const SERVICE_API = "10.96.0.1";
/** The cluster's DNS server: the address that kubeadm and others use. */
export const SERVICE_DNS = "10.96.0.10";
export const SERVICE_DOMAIN = "cluster.local";
