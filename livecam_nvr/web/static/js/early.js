// Runs before the page's other modules have come: who this is and the texts are not waited for after them.

import { begin } from "./whoami.js";

begin();
import("./texts.js");
