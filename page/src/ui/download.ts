// Files that the page makes: saved as if they had been downloaded, without any request.

export function save(text: string | Uint8Array, name: string, type: string): void {
  const content = typeof text === "string" ? text : new Uint8Array(text);
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Some browsers read it only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
