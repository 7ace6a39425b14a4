// From what was dropped, chosen or pasted to inputs: files with their places in folders, or text.

import type { Input } from "../model/model.js";

/** More in one go would be an accident: somebody dropped a whole disk. */
export const MAX_FILES = 20_000;
/** Folders inside folders. */
const MAX_DEPTH = 32;

export function chosen(files: Iterable<File>): readonly Input[] {
  return Array.from(files, (file) => asInput(file, file.webkitRelativePath || file.name)).slice(0, MAX_FILES);
}

/** Read what was dropped, folders with all that is in them. Must be called while the drop is being handled. */
export async function dropped(data: DataTransfer): Promise<readonly Input[]> {
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return chosen(data.files);
  const found: Input[] = [];
  for (const entry of entries) await walk(entry, found, 0);
  return found;
}

/** What was dropped or pasted beside files: a link, or text. Empty without any. */
export function textOf(data: DataTransfer): string {
  return (data.getData("text/uri-list").split("\n", 1)[0] || data.getData("text/plain")).trim();
}

/** One word that is an address: a link, and no credential's text. */
export function isLink(text: string): boolean {
  return /^https?:\/\/\S+$/iu.test(text.trim());
}

/** What the user typed and pressed the button for. */
export function typed(text: string): Input {
  const trimmed = text.trim();
  return isLink(trimmed) ? { kind: "link", url: trimmed } : { kind: "text", text };
}

async function walk(entry: FileSystemEntry, found: Input[], depth: number): Promise<void> {
  if (found.length >= MAX_FILES || depth > MAX_DEPTH) return;
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push(asInput(file, entry.fullPath.replace(/^\//u, "")));
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    // A folder is read in pieces, until one is empty.
    for (;;) {
      const piece = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (piece.length === 0) return;
      for (const each of piece) await walk(each, found, depth + 1);
    }
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function asInput(file: Blob, path: string): Input {
  return { kind: "file", file, path };
}
