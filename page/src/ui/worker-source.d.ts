/** The worker's script, which the build puts in. */
declare module "credanchor:worker" {
  const source: string;
  export default source;
}
