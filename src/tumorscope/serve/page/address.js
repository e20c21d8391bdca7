// The address after the #: the page, and what is asked of it.

/** The page that the address names. */
export function currentPath() {
  return location.hash.replace(/^#/, "").split("?")[0] || "/";
}
