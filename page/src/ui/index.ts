// What people see.

export {};
