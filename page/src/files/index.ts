// Finds the credentials in what was given: files, archives, pictures, bundles, links, QR codes.

export {};
