// What is asked of the server. All that comes back is shown as text, never as markup.

const ENDED = "The server has ended. Run `ferdata view` again, and open the address that it prints.";

async function answer(asked) {
  const response = await asked.catch((error) => {
    throw error.name === "AbortError" ? error : new Error(ENDED);
  });
  const found = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Error(found.error);
  return found;
}

export async function ask(path, parameters = {}, options = {}) {
  const query = new URLSearchParams(parameters).toString();
  return answer(fetch(query ? `${path}?${query}` : path, options));
}

export async function tell(path, values = {}) {
  const headers = { "Content-Type": "application/json" };
  return answer(fetch(path, { method: "POST", headers, body: JSON.stringify(values) }));
}
