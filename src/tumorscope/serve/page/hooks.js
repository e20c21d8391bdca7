// What components ask of the server when they are shown, as hooks.

import { useCallback, useEffect, useState } from "./dom.js";
import { getJson } from "./api.js";

/** Ask the server for JSON when shown: `{data, error, again}`; data and error are null while it is under way. */
export function useJson(path) {
  const [state, setState] = useState({ data: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState({ data: null, error: null });
    getJson(path, { signal: stop.signal }).then(
      (data) => setState({ data, error: null }),
      (error) => error.name === "AbortError" || setState({ data: null, error }),
    );
    return () => stop.abort();
  }, [path, round]);
  return { ...state, again: useCallback(() => setRound((value) => value + 1), []) };
}

let modelAsked = null;

/** The model that answers here, of GET /v1/models, asked for once: `{model, error, again}`. */
export function useModel() {
  const [state, setState] = useState({ model: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    modelAsked ??= getJson("/v1/models");
    modelAsked.then(
      ({ models }) => isWanted && setState({ model: models[0], error: null }),
      (error) => {
        modelAsked = null;
        if (isWanted) setState({ model: null, error });
      },
    );
    return () => (isWanted = false);
  }, [round]);
  return { ...state, again: useCallback(() => setRound((value) => value + 1), []) };
}
