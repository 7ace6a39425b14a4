// The element for other sites: `<credanchor-verify>`.

export {};
