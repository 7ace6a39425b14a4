// What the build puts in (scripts/build-page): the worker's script, as text.

declare module "credanchor:worker" {
  const script: string;
  export default script;
}
