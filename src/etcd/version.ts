/** The version of etcd whose API this is: clients choose by it what they ask for. */
export const version = '3.4.23'
