/** A kernel module as text: the build turns the import into a `data:` address in base64. */
declare module "*.wasm?url&inline" {
  const address: string;
  export default address;
}
