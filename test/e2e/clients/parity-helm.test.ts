// The real Helm: every command of testdata/helm/script.sh says of the embedded server what it says of a real one.
import { describeParity } from "./describe-parity.ts";

describeParity("helm");
