// Stands for packages that are left out: see short-way.ts.
