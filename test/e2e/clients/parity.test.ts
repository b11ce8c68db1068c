// The real kubectl: every command of testdata/kubectl/script.sh says of the embedded server what it says of a real one.
import { describeParity } from "./describe-parity.ts";

describeParity("kubectl", {
  // Kinds of the reference that the embedded server does not serve.
  ignoredLines: /flowcontrol\.apiserver|flowschemas|prioritylevel|ipaddresses|servicecidrs|resource\.k8s\.io/,
  differences: [{ command: /^kubectl explain (deployment|pods)/, why: "built-in kinds are described without prose" }],
});
