// What is asked of the server. All that comes back is shown as text, never as markup.

async function answer(response) {
  const found = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Error(found.error);
  return found;
}

export async function ask(path, parameters = {}, options = {}) {
  const query = new URLSearchParams(parameters).toString();
  return answer(await fetch(query ? `${path}?${query}` : path, options));
}

export async function tell(path, values = {}) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(values) }));
}
