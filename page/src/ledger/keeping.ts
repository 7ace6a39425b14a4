// Keeps trust lists from one visit to the next where the browser allows that, else as long as the page is open.

import type { ListStore } from "./trustLists.js";

const STORE = "lists";

/** Keep as long as the page is open. */
export function keptInMemory(): ListStore {
  const lists = new Map<string, Uint8Array>();
  return {
    read: (key) => Promise.resolve(lists.get(key) ?? null),
    write: (key, list) => {
      lists.set(key, list);
      return Promise.resolve();
    },
  };
}

/** Keep in the browser. One that refuses, as some do for files, in private windows, or on a full disk, has the memory. */
export function keptInBrowser(): ListStore {
  const memory = keptInMemory();
  const database = open().catch(() => null);
  const tried = async (use: (lists: IDBDatabase) => Promise<unknown>): Promise<unknown> => {
    const opened = await database;
    return opened === null ? null : use(opened).catch(() => null);
  };
  return {
    read: async (key) => {
      const known = await memory.read(key);
      const found = known ?? (await tried(async (lists) => done(lists.transaction(STORE).objectStore(STORE).get(key))));
      return found instanceof Uint8Array ? found : null;
    },
    write: async (key, list) => {
      await memory.write(key, list);
      await tried(async (lists) => done(lists.transaction(STORE, "readwrite").objectStore(STORE).put(list, key)));
    },
  };
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("credanchor", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException("refused"));
    if (request instanceof IDBOpenDBRequest) request.onblocked = () => reject(new DOMException("blocked"));
  });
}
