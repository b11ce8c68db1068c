// Preloaded into a process (NODE_OPTIONS=--import): its connections come from FROM_ADDRESS, so that whoever is asked can
// tell it from other processes on this machine.
import { Socket } from "node:net";

const connect = Socket.prototype.connect;

Socket.prototype.connect = function connectFrom(...args) {
  // Node's own callers hand over what they have normalized already: a list with the options first.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof options === "object" && options !== null && options.path === undefined)
    options.localAddress = process.env.FROM_ADDRESS;
  return connect.apply(this, args);
};
