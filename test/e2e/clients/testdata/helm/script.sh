# What Helm does with a release and with the server, in the order of a release's life. See ../kubectl/script.sh.

helm install shop shop -n market --create-namespace --set color=red
kubectl get namespace market -o jsonpath='{.metadata.labels}'
helm list -n market
helm list -A -o yaml | grep -v updated
helm status shop -n market | sed "/^RESOURCES/,/^NOTES/d" && helm status shop -n market | grep "^==>" | sort
helm get manifest shop -n market
helm get values shop -n market
helm get values shop -n market --all
helm get hooks shop -n market
helm get notes shop -n market
helm get metadata shop -n market
kubectl get secrets -n market -l owner=helm -L name,status,version
kubectl get secret sh.helm.release.v1.shop.v1 -n market -o jsonpath='{.type} {.immutable}'
kubectl get configmap shop-config -n market -o yaml
kubectl get deployments,statefulsets,cronjobs,hpa,pdb,services,ingresses,networkpolicies,serviceaccounts,roles,rolebindings,gadgets -n market
kubectl get deployment shop -n market -o yaml --show-managed-fields
kubectl get configmaps -n market
helm test shop -n market
helm install shop shop -n market
helm install second shop -n market --dry-run=server --set replicas=2
helm install second shop -n market --dry-run=client | tail -4
helm install shop shop -n elsewhere --create-namespace
kubectl get all,configmaps -n elsewhere
helm list -a -n elsewhere
helm upgrade shop shop -n market --set color=green
kubectl get configmap shop-config -n market -o jsonpath='{.data}'
kubectl get configmap shop-before -n market -o jsonpath='{.data}'
kubectl get secrets -n market -l owner=helm -L name,status,version
helm upgrade shop shop -n market --set color=green,gadget=false,replicas=3
kubectl get gadgets -n market
kubectl get deployment shop -n market
kubectl scale deployment shop -n market --replicas=9
helm upgrade shop shop -n market --set replicas=4
helm upgrade shop shop -n market --set replicas=4 --force-conflicts
kubectl get deployment shop -n market -o jsonpath='{.spec.replicas}'
helm upgrade shop shop -n market --reuse-values --set port=8080 --server-side=false
kubectl get service shop -n market -o jsonpath='{.spec.ports[0].port}'
helm upgrade shop shop -n market --set color=blue
helm upgrade shop shop -n market --set replicas=-1
helm upgrade shop shop -n market --set port=none
helm history shop -n market
helm rollback shop 1 -n market
kubectl get deployment shop -n market -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].env[0].value}'
kubectl get gadgets -n market
helm rollback shop 77 -n market
helm history shop -n market
helm upgrade shop shop -n market --set replicas=2 --wait --timeout 2s 2>&1 | tail -1
helm template shop shop -n market --dry-run=server | grep -A9 'name: shop-config'
helm upgrade --install third shop -n market --set gadget=false --dry-run=server 2>&1 | tail -3
helm uninstall shop -n market --keep-history
helm list -n market -a
helm status shop -n market | sed "/^RESOURCES/,/^NOTES/d" && helm status shop -n market | grep "^==>" | sort
helm get values shop -n market --revision 1
kubectl get all,configmaps,gadgets -n market
kubectl get secrets -n market -l owner=helm -L name,status,version
helm rollback shop 1 -n market
helm uninstall shop -n market --cascade foreground --wait --timeout 20s
helm uninstall shop -n market
helm status shop -n market | sed "/^RESOURCES/,/^NOTES/d" && helm status shop -n market | grep "^==>" | sort
kubectl get secrets -n market
kubectl get clusterroles shop-reader
kubectl get crd gadgets.helm.example.com -o name
helm install shop shop -n market --as=ann
kubectl delete namespace market elsewhere --timeout=30s
