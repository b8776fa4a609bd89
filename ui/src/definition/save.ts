import { useQueryClient } from "@tanstack/react-query";
import { path, put, remove } from "../api/client";
import type { DefinitionKind } from "../api/queries";
import { said, undoable } from "../elements/say";

/** Saving and deleting of anything that a person defines, keeping the query cache true. */
export function useDefinition<Input extends object, Saved>(kind: DefinitionKind) {
  const queries = useQueryClient();
  const refresh = () => Promise.all([queries.invalidateQueries({ queryKey: [kind] }), queries.invalidateQueries({ queryKey: ["vocabulary"] })]);
  const at = (name: string) => `/${kind}${path`/${name}`}`;
  return {
    save: async (name: string, input: Input): Promise<Saved> => {
      const saved = await put<Saved>(at(name), input);
      queries.setQueryData([kind, "one", name], saved);
      said(`“${name}” is saved.`);
      void refresh();
      return saved;
    },
    /** Deletes, and offers to save the same again. */
    remove: async (name: string, input: Input) => {
      await remove(at(name));
      queries.removeQueries({ queryKey: [kind, "one", name] });
      void refresh();
      undoable(`“${name}” is deleted.`, async () => {
        await put(at(name), input);
        await refresh();
      });
    },
  };
}
