/** Where this page's server is: a path before all of its addresses, such as `/rooms`; mostly there is none. */
export const basePath = document.querySelector<HTMLMetaElement>('meta[name="base-path"]')?.content ?? '';
