// On a phone a scan covers the list: the browser's way back then leads from the scan to the list.
import { useEffect } from "./dom.js";
import { currentPath } from "./address.js";

const NARROW = matchMedia("(max-width: 760px)"); // as in scans.css
const SCAN = { side: "scan" };

if (history.state?.side) history.replaceState(null, ""); // left by this page before it was loaded anew

/** Put the list behind what is shown next. */
export function leaveList() {
  if (NARROW.matches && !history.state?.side) history.pushState(SCAN, "");
}

/** Go back to the list where it lies behind; else `show` it. */
export function returnToList(show) {
  if (history.state?.side) history.back();
  else show();
}

/** Follow the browser's buttons; `show` is told "list" or "scan". */
export function useWayBack(show) {
  useEffect(() => {
    const follow = () => currentPath() === "/" && show(history.state?.side ?? "list");
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
}
