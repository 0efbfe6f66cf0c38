/** Entry of the page. */
import { render } from "preact";
import { attachPanels } from "../src/report/interact.ts";
import "../src/report/panels.css";
import { Page } from "./Page.tsx";
import "./page.css";

attachPanels(document.body);
render(<Page />, document.getElementById("page")!);
