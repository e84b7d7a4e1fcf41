/** The compiled benchmark lies outside of this folder, where its dependencies are not found: so they are imported from here. */
export const importPeer = (name) => import(name);
