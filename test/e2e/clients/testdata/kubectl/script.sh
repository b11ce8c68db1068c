# One command a line, run in order in a copy of this folder as an administrator of an empty server. What each prints and how it ends
# is compared with a recording of a real server: see ../../kubectl.test.ts.

# the server
kubectl version --output=json
kubectl cluster-info
kubectl api-versions
kubectl api-resources --output=wide
kubectl api-resources --namespaced=false --output=name
kubectl api-resources --api-group=apps --sort-by=kind
kubectl get --raw /readyz
kubectl get --raw /livez/ping
kubectl get --raw '/readyz?verbose' | head -c 20
kubectl get --raw /apis/apps
kubectl get --raw /apis/nothing.example.com/v1
kubectl get namespaces
kubectl auth whoami
kubectl auth can-i '*' '*' --all-namespaces
kubectl config view --minify -o jsonpath='{.contexts[0].context.user}'

# many kinds, by command
kubectl create namespace play
kubectl create namespace play
kubectl config set-context --current --namespace=play
kubectl create configmap colors --from-literal=a=red --from-literal=b=green --from-file=note.txt=roles.yaml -o yaml
kubectl create secret generic keys --from-literal=user=ann --from-literal=password=secret
kubectl create secret tls broken --cert=roles.yaml --key=roles.yaml
kubectl create secret docker-registry pull --docker-server=registry.example.com --docker-username=ann --docker-password=secret
kubectl create serviceaccount bot
kubectl create role reader --verb=get,list --resource=pods,deployments.apps --dry-run=server -o yaml
kubectl create clusterrole auditor --verb=get --non-resource-url=/metrics
kubectl create clusterrolebinding auditors --clusterrole=auditor --group=auditors
kubectl create rolebinding viewers --clusterrole=view --user=ann --serviceaccount=play:bot
kubectl create deployment quick --image=quick:1 --replicas=2 --port=80
kubectl create job once --image=once:1 -- run --now
kubectl create cronjob nightly --image=once:1 --schedule='0 2 * * *'
kubectl create job from-cron --from=cronjob/nightly
kubectl create ingress quick --rule='quick.example.com/*=quick:80,tls=quick-tls'
kubectl create service clusterip plain --tcp=80:8080
kubectl create service nodeport node --tcp=80
kubectl create service externalname other --external-name=db.example.com
kubectl create poddisruptionbudget quick --selector=app=quick --min-available=1
kubectl create priorityclass urgent --value=1000 --description=first
kubectl create quota caps --hard=cpu=1,memory=1Gi,pods=2
kubectl delete quota caps
kubectl run single --image=single:1 --labels=app=single,tier=a --env=A=1 --port=80
kubectl run single --image=single:1
kubectl expose deployment quick --port=80 --target-port=8080 --name=quick-svc
kubectl autoscale deployment quick --min=1 --max=5 --cpu-percent=80
kubectl create -f workloads.yaml
kubectl create -f workloads.yaml --dry-run=server 2>&1 | head -3
kubectl create -f invalid.yaml
kubectl create -f typo.yaml
kubectl create -f typo.yaml --validate=warn
kubectl create -f typo.yaml --validate=ignore
kubectl create token bot
kubectl create token nobody

# apply
kubectl apply -f shop.yaml
kubectl apply -f shop.yaml
kubectl diff -f shop-next.yaml
kubectl apply -f shop-next.yaml --dry-run=server
kubectl apply -f shop-next.yaml
kubectl get deployment shop -o yaml
kubectl get deployment shop -o yaml --show-managed-fields
kubectl apply view-last-applied deployment/shop
kubectl apply set-last-applied -f shop-next.yaml --create-annotation
kubectl apply --server-side -f shop.yaml
kubectl apply --server-side -f shop.yaml --force-conflicts
kubectl apply --server-side -f shop-next.yaml --field-manager=robot
kubectl apply --server-side -f shop-next.yaml --field-manager=robot --force-conflicts
kubectl get configmap shop-settings -o json --show-managed-fields
kubectl diff --server-side -f shop.yaml --field-manager=robot
kubectl create configmap old --from-literal=a=1 --dry-run=client -o yaml | kubectl label --local -f - app=shop -o yaml | kubectl apply -f -
kubectl apply --prune -f shop-next.yaml -l app=shop --prune-allowlist=core/v1/ConfigMap
kubectl replace -f shop.yaml
kubectl replace --force -f shop.yaml
kubectl replace -f widget.yaml

# reading
kubectl get configmaps,secrets,serviceaccounts
kubectl get all
kubectl get deployments,statefulsets,daemonsets,jobs,cronjobs -o wide
kubectl get services,ingresses,networkpolicies,hpa,pdb,pvc -o wide
kubectl get pods -o wide
kubectl get deployments -A --sort-by=.spec.replicas
kubectl get configmap colors -o json
kubectl get configmap colors -o yaml
kubectl get configmap colors -o jsonpath='{.data.a}{"\n"}{range .metadata.labels}{@}{end}'
kubectl get deployments -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image
kubectl get deployments -o go-template='{{range .items}}{{.metadata.name}} {{.spec.replicas}}{{"\n"}}{{end}}'
kubectl get deployments -o name
kubectl get pods,deployments -l 'app in (single,shop),tier!=b' --show-labels
kubectl get deployments -L app
kubectl get secrets --field-selector=type=Opaque
kubectl get configmaps --field-selector=metadata.name=colors --no-headers
kubectl get configmaps --field-selector=data.a=red
kubectl get deployments -l 'a in'
kubectl get nothing
kubectl get configmap nothing
kubectl get configmap nothing --ignore-not-found
kubectl get configmaps --chunk-size=1 -o name
kubectl get events
kubectl events
kubectl get clusterroles view edit -o wide
kubectl get rolebindings -o wide
kubectl get customresourcedefinitions
kubectl describe deployment shop
kubectl describe pod single
kubectl describe service shop
kubectl create configmap one --from-literal=a=1 && kubectl describe configmap one
kubectl describe secret keys
kubectl describe hpa store
kubectl describe ingress shop
kubectl describe cronjob report
kubectl describe rolebinding viewers
kubectl describe namespace play
kubectl explain deployment.spec.strategy
kubectl explain pods --recursive | head -30
kubectl explain configmap.nothing
kubectl get --raw /api/v1/namespaces/play/configmaps/colors
kubectl get configmaps colors --watch --output-watch-events > seen & until grep -qs ADDED seen; do sleep 0.05; done; kill $!; cat seen
kubectl get deployments --watch-only > seen & until grep -qs quick seen; do kubectl label deployment quick watched=$RANDOM --overwrite > labelled; done; kill $!; head -2 seen

# changing
kubectl label configmap colors tone=warm
kubectl label configmap colors tone=cold
kubectl label configmap colors tone=cold --overwrite
kubectl label configmaps --all batch=1
kubectl label configmap colors tone- missing-
kubectl annotate deployment shop note='hello world' kubernetes.io/change-cause='by hand'
kubectl annotate deployment shop note-
kubectl patch deployment shop -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop:3"},{"name":"side","image":"side:1"}]}}}}' -o jsonpath='{.spec.template.spec.containers[*].name}'
kubectl patch deployment shop -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}'
kubectl patch configmap colors --type=merge -p '{"data":{"a":null,"c":"blue"}}'
kubectl patch configmap colors --type=json -p '[{"op":"test","path":"/data/c","value":"blue"},{"op":"replace","path":"/data/c","value":"black"}]'
kubectl patch configmap colors --type=json -p '[{"op":"test","path":"/data/c","value":"blue"}]'
kubectl patch configmap colors --type=json -p '[{"op":"remove","path":"/data/nothing"}]'
kubectl patch deployment shop --subresource=status --type=merge -p '{"status":{"replicas":3,"readyReplicas":2,"availableReplicas":2,"updatedReplicas":3,"observedGeneration":5}}'
kubectl patch deployment shop --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'
kubectl get deployment shop
kubectl set image deployment/shop web=shop:4
kubectl set env deployment/shop MODE=fast --from=configmap/shop-settings --prefix=S_ --keys=theme
kubectl set env deployment/shop --list
kubectl set resources deployment/shop -c web --limits=cpu=200m,memory=512Mi --requests=cpu=0.1
kubectl set serviceaccount deployment/shop bot
kubectl set selector service/plain app=quick
kubectl set subject rolebinding/viewers --user=bob
kubectl scale deployment shop --replicas=5
kubectl scale deployment shop --current-replicas=2 --replicas=1
kubectl scale statefulset/store deployment/quick --replicas=0
kubectl scale job migrate --replicas=2
kubectl get --raw /apis/apps/v1/namespaces/play/deployments/shop/scale
kubectl rollout status deployment/shop --watch=false
kubectl rollout status deployment/shop --timeout=1s
kubectl rollout history deployment/shop
kubectl rollout undo deployment/shop
kubectl rollout pause deployment/shop
kubectl rollout pause deployment/shop
kubectl rollout restart deployment/shop
kubectl rollout resume deployment/shop
kubectl rollout restart deployment/shop
KUBE_EDITOR='sed -i s/black/white/' kubectl edit configmap colors
KUBE_EDITOR='sed -i s/white/white/' kubectl edit configmap colors
KUBE_EDITOR='sed -i s/apiVersion:.v1/apiVersion:_v9/' kubectl edit configmap colors 2>&1 | sed 's#/tmp/[^ "]*#FILE#g'
kubectl get configmap colors -o json | sed 's/"resourceVersion": "[0-9]*"/"resourceVersion": "1"/; s/white/gray/' | kubectl replace -f -
kubectl get configmap colors -o json | sed 's/"uid": "[^"]*"/"uid": "11111111-1111-1111-1111-111111111111"/' | kubectl replace -f -
kubectl create configmap fixed --from-literal=a=1
kubectl patch configmap fixed -p '{"immutable":true}'
kubectl patch configmap fixed -p '{"data":{"a":"2"}}'
kubectl wait --for=jsonpath='{.data.a}'=1 configmap/fixed --timeout=5s
kubectl wait --for=condition=Available deployment/shop --timeout=1s
kubectl wait --for=delete configmap/nothing --timeout=1s

# access
kubectl auth reconcile -f roles.yaml
kubectl auth reconcile -f roles-next.yaml
kubectl auth can-i list services --as=system:serviceaccount:play:bot
kubectl auth can-i delete services --as=system:serviceaccount:play:bot
kubectl auth can-i --list --as=system:serviceaccount:play:bot
kubectl auth whoami --as=ann --as-group=dev -o yaml
kubectl get secrets --as=ann
kubectl get deployments --as=nobody
kubectl create configmap denied --as=ann --from-literal=a=1
kubectl get nodes --as=system:serviceaccount:play:bot
kubectl config set-credentials bot --token="$(kubectl create token bot)" && kubectl config set-context bot --cluster="$(kubectl config view --minify -o jsonpath='{.clusters[0].name}')" --user=bot --namespace=play
kubectl --context=bot auth whoami
kubectl --context=bot get services -o name
kubectl --context=bot delete service plain
kubectl config set-credentials wrong --token=wrong && kubectl config set-context wrong --cluster="$(kubectl config view --minify -o jsonpath='{.clusters[0].name}')" --user=wrong
kubectl --context=wrong get configmaps
kubectl create -f csr.yaml
kubectl get csr
kubectl certificate approve ann
kubectl certificate deny ann
kubectl get csr ann -o jsonpath='{.status.conditions[*].type} {.status.conditions[*].reason}'

# nodes and pods
kubectl create -f nodes.yaml
kubectl get nodes -o wide
kubectl cordon n1
kubectl uncordon n1
kubectl taint nodes n1 dedicated=gpu:NoSchedule
kubectl taint nodes n1 dedicated=gpu:NoSchedule
kubectl taint nodes n1 dedicated-
kubectl drain n2
kubectl describe node n1
kubectl logs single
kubectl exec single -- ls
kubectl top pod
kubectl top node
kubectl get pod single -o jsonpath='{.status.phase} {.status.qosClass} {.spec.tolerations[*].effect}'

# custom resources
kubectl create -f widgets-crd.yaml
kubectl wait --for=condition=Established crd/widgets.shop.example.com --timeout=10s
kubectl get crd widgets.shop.example.com -o jsonpath='{.status.acceptedNames} {.status.storedVersions} {.status.conditions[*].type}'
kubectl api-resources --api-group=shop.example.com
until kubectl explain widget.spec > explained 2>&1; do sleep 0.1; done; cat explained
kubectl apply -f widget.yaml
kubectl apply -f widget.yaml
kubectl apply --server-side -f widget.yaml --field-manager=robot
kubectl create -f widget-bad.yaml
kubectl create -f widget-bad.yaml --validate=false
kubectl get wg
kubectl get widgets -o wide
kubectl get widget lamp -o yaml
kubectl scale widget lamp --replicas=5
kubectl patch widget lamp --subresource=status --type=merge -p '{"status":{"phase":"Lit","size":5}}'
kubectl patch widget lamp -p '{"spec":{"size":2}}'
kubectl patch widget lamp --type=merge -p '{"spec":{"size":1}}'
kubectl wait --for=jsonpath='{.status.phase}'=Lit widget/lamp --timeout=5s
kubectl describe widget lamp
kubectl get all -o name
kubectl delete -f widgets-crd.yaml
kubectl get widgets

# through a proxy
kubectl proxy --port=0 > proxy.out & until grep -qs Starting proxy.out; do sleep 0.05; done; kubectl --kubeconfig=/dev/null --server=http://$(grep -o '127.0.0.1:[0-9]*' proxy.out) get configmap fixed -n play -o jsonpath='{.data}'; kill $!

# deleting
kubectl delete configmap fixed --dry-run=server
kubectl delete configmap fixed
kubectl delete configmap fixed
kubectl delete configmap fixed --ignore-not-found
kubectl delete deployment quick --cascade=orphan
kubectl delete deployment shop --cascade=foreground
kubectl delete jobs --selector=app=none
kubectl delete cronjobs --all --wait=false
kubectl delete pod single --now
kubectl delete services,ingresses --all
kubectl delete -f workloads.yaml --ignore-not-found
kubectl delete node n1 n2
kubectl delete --raw /api/v1/namespaces/play/configmaps/nothing
kubectl delete namespace kube-system
kubectl delete namespace play --timeout=30s
kubectl get namespace play
kubectl get configmaps -n play
