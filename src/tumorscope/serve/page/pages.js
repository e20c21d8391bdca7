// The pages, in the order of the navigation: address after the #, name, icon, and how the module is loaded.
export const PAGES = [
  { path: "/", name: "Scans", icon: "scans", load: () => import("./scans.js") },
  { path: "/audit", name: "Audit", icon: "audit", load: () => import("./audit.js") },
  { path: "/runs", name: "Runs", icon: "runs", load: () => import("./runs.js") },
  { path: "/model", name: "Model", icon: "model", load: () => import("./model.js") },
];
