/** Files that the bundler inlines as text. */
declare module "*.css?raw" {
  const text: string;
  export default text;
}
