// Stands for `node:process`: see short-way.ts.
module.exports = process
