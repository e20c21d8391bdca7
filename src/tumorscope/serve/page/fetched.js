// What a page asks for anew whenever its wish changes.
import { getJson } from "./api.js";
import { announce } from "./components.js";
import { useEffect, useRef, useState } from "./dom.js";

/**
 * What an address gives. The page comes with its first answer; what is there stays until the next is here.
 * @param {string} url
 * @param {object} first what the address gives at first
 * @param {(found: object) => string} tell what to say of a later answer to those who listen
 * @returns {{found: ?object, error: ?Error, isBusy: boolean, again: () => void}}
 */
export function useFetched(url, first, tell) {
  const [state, setState] = useState({ found: first, error: null, isBusy: false });
  const [round, setRound] = useState(0);
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return undefined;
    }
    const stop = new AbortController();
    setState((before) => ({ ...before, isBusy: true }));
    getJson(url, { signal: stop.signal }).then(
      (found) => {
        setState({ found, error: null, isBusy: false });
        announce(tell(found));
      },
      (error) => error.name === "AbortError" || setState({ found: null, error, isBusy: false }),
    );
    return () => stop.abort();
  }, [url, round]);
  return { ...state, again: () => setRound((value) => value + 1) };
}
