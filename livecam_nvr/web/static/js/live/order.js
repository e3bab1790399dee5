// What somebody asked for and the service has not answered yet: the button shows that it is under way, and no other state
// than what the service says.

import { toast } from "./toast.js";

/** Runs `work()` once at a time for this button; what it throws is told. True if it was done. */
export async function order(button, work) {
  if (button.getAttribute("aria-busy") === "true") return false;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
    return true;
  } catch (error) {
    toast(error.message, { bad: true });
    return false;
  } finally {
    button.removeAttribute("aria-busy");
  }
}
