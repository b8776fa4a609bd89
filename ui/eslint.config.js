import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

// TypeScript itself sees to unused names; this looks for what it cannot see.
export default defineConfig({
  files: ["src/**/*.{ts,tsx}"],
  extends: [ts.configs.recommended],
  plugins: { "react-hooks": hooks },
  rules: {
    "react-hooks/rules-of-hooks": "error",
    "react-hooks/exhaustive-deps": "error",
    "@typescript-eslint/no-unused-vars": "off",
  },
});
