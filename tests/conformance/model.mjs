// A model server that answers from a script, on loopback: what a real agent talks to when it is judged.
//
// It speaks what the agents' makers speak (OpenAI chat completions and responses, Anthropic messages, Gemini
// generateContent), streamed where the agent wants a stream. The last prompt says what to do, as `DO <what>`; which tool is
// meant is found among those that the agent offers. Prints its address, and ends when its standard input does.

import { createServer } from "node:http";

const WORDS = ["Here ", "is ", "the ", "streamed ", "answer."];
const USAGE = { input: 120, output: 7 };

/** How far an edit has come, by the prompt that asks for it: most agents let a file be edited only once it was read. */
const edits = new Map();

/** What the model does next: say words, use tools, or keep silent for ever. */
function next({ prompt, answered, tools, images, prompts, text }) {
  const [, what, rest] = /\bDO (\w+)([^\n"]*)/.exec(prompt) ?? [];
  const args = (rest ?? "").trim();
  if (what === "hang") return { say: ["Thinking "], hang: true };
  if (what === "recall") return { say: [`I was asked ${prompts.filter((text) => /\bDO \w+/.test(text)).length} times.`] };
  if (what === "look") return { say: [images > 0 ? "I see an image." : "I see no image."] };
  if (what === "edit") {
    const step = edits.get(prompt) ?? 0;
    const steps = [() => use(tools, /^(read|read_file)$/i, { path: args }), () => replace(tools, args)];
    for (const [at, act] of steps.entries()) {
      const acted = at < step ? null : act();
      if (!acted) continue;
      edits.set(prompt, at + 1);
      return acted;
    }
    const told = /Another worktree of this repository changes/.test(text);
    return { say: [told ? "I was told of the other worktree." : "I was told nothing."] };
  }
  if (what && answered) return { say: [`The tool said: ${answered.slice(0, 400)}`] };
  if (what === "write") return use(tools, /^(write|write_file|Write|create_file)$/i, { path: args, text: "one\ntwo\n" }) ?? patch(tools, args) ?? shell(tools, `printf 'one\\ntwo\\n' > '${args}'`);
  if (what === "shell") return shell(tools, args);
  if (what === "plan") return use(tools, /todo|plan/i, {}) ?? { say: ["I have no tool for plans."] };
  if (what === "fail") return { status: 400 };
  return { say: WORDS };
}

function shell(tools, command) {
  return use(tools, /^(bash|shell|exec_command|run_shell_command|shell_command|local_shell)$/i, { command }) ?? { say: ["I have no shell."] };
}

function patch(tools, path) {
  const tool = tools.find(({ name }) => name === "apply_patch");
  if (!tool) return null;
  const text = `*** Begin Patch\n*** Add File: ${path}\n+one\n+two\n*** End Patch\n`;
  return { call: { name: tool.name, custom: tool.custom, input: tool.custom ? text : { input: text } } };
}

/** Replaces the line `two` of a file, by whatever way there is. */
function replace(tools, path) {
  const edit = use(tools, /^(edit|replace)$/i, { path, old: "two", text: "2" });
  if (edit) return edit;
  const text = `*** Begin Patch\n*** Update File: ${path}\n@@\n one\n-two\n+2\n three\n*** End Patch\n`;
  const tool = tools.find(({ name }) => name === "apply_patch");
  if (tool) return { call: { name: tool.name, custom: tool.custom, input: tool.custom ? text : { input: text } } };
  return shell(tools, `apply_patch <<'EOF'\n${text}EOF`);
}

/** A call of the first tool whose name fits, with its fields filled by what their names mean. */
function use(tools, name, { path, text, command, old }) {
  const tool = tools.find((tool) => name.test(tool.name));
  if (!tool) return null;
  const { properties = {}, required = [] } = tool.schema ?? {};
  const meant = (field, schema) => {
    if (/path|file/i.test(field) && path) return path;
    if (/^(content|text)$/i.test(field) && text) return text;
    if (/^old_?string$/i.test(field) && old) return old;
    if (/^new_?string$/i.test(field) && old) return text;
    if (/^(command|cmd)$/i.test(field) && command)
      return typeOf(schema) === "array" ? ["sh", "-c", command] : command;
    // Where a sandbox would forbid what is asked, a model asks to be let out of it.
    if (field === "sandbox_permissions" && command) return "require_escalated";
    if (field === "justification" && command) return "It is what was asked.";
    if (!required.includes(field)) return undefined;
    return sample(field, schema);
  };
  const input = {};
  for (const [field, schema] of Object.entries(properties)) {
    const value = meant(field, schema);
    if (value !== undefined) input[field] = value;
  }
  return { call: { name: tool.name, input } };
}

const typeOf = (schema) => String(schema?.type ?? "string").toLowerCase();

function sample(field, schema) {
  if (schema?.enum) return schema.enum[0];
  switch (typeOf(schema)) {
    case "array":
      return [0, 1].map((at) => sample(at === 0 ? "first" : "second", schema.items));
    case "object":
      return Object.fromEntries((schema.required ?? Object.keys(schema.properties ?? {})).map((name) => [name, sample(name === "id" ? `${name}-${field}` : name, schema.properties?.[name])]));
    case "boolean":
      return false;
    case "number":
    case "integer":
      return 1;
    default:
      return `the ${field}`;
  }
}

const list = (value) => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);
const textOf = (content) =>
  typeof content === "string" ? content : list(content).map((part) => (typeof part === "string" ? part : (part.text ?? ""))).join("\n");

/** What a request asks, whichever format it came in. */
const FORMATS = {
  chat: {
    fits: (url) => url.endsWith("/chat/completions"),
    asked(body) {
      const said = body.messages ?? [];
      const prompts = said.filter(({ role }) => role === "user").map(({ content }) => textOf(content));
      const last = said.at(-1);
      return {
        prompts,
        answered: last?.role === "tool" ? textOf(last.content) || "nothing" : null,
        images: JSON.stringify(said).split('"image_url"').length - 1,
        tools: list(body.tools).map(({ function: tool }) => ({ name: tool.name, schema: tool.parameters })),
      };
    },
    *answer(act, body) {
      const piece = (delta, finish_reason = null) => ({ id: "c1", object: "chat.completion.chunk", created: 1, model: body.model, choices: [{ index: 0, delta, finish_reason }] });
      if (act.call)
        yield piece({ role: "assistant", tool_calls: [{ index: 0, id: id("call"), type: "function", function: { name: act.call.name, arguments: JSON.stringify(act.call.input) } }] });
      for (const word of act.say ?? []) yield piece({ role: "assistant", content: word });
      if (act.hang) return;
      yield piece({}, act.call ? "tool_calls" : "stop");
      yield { ...piece({}), choices: [], usage: { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output } };
      yield "[DONE]";
    },
    whole: (act, body) => ({
      id: "c1", object: "chat.completion", created: 1, model: body.model,
      choices: [{ index: 0, message: { role: "assistant", content: (act.say ?? []).join("") }, finish_reason: "stop" }],
      usage: { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output },
    }),
  },
  responses: {
    fits: (url) => url.endsWith("/responses"),
    asked(body) {
      const said = typeof body.input === "string" ? [{ role: "user", content: body.input }] : (body.input ?? []);
      const last = said.at(-1);
      return {
        prompts: said.filter(({ role }) => role === "user").map(({ content }) => textOf(content)),
        answered: /_output$/.test(last?.type ?? "") ? textOf(last.output) || "nothing" : null,
        images: JSON.stringify(said).split('"input_image"').length - 1,
        tools: list(body.tools).filter(({ name }) => name).map((tool) => ({ name: tool.name, schema: tool.parameters, custom: tool.type === "custom" })),
      };
    },
    *answer(act, body) {
      const response = { id: "r1", object: "response", created_at: 1, model: body.model, status: "in_progress", output: [] };
      yield named("response.created", { response });
      let item;
      if (act.call) {
        const call_id = id("call");
        item = act.call.custom
          ? { type: "custom_tool_call", id: id("ctc"), call_id, name: act.call.name, input: act.call.input, status: "completed" }
          : { type: "function_call", id: id("fc"), call_id, name: act.call.name, arguments: JSON.stringify(act.call.input), status: "completed" };
        yield named("response.output_item.added", { output_index: 0, item });
      } else {
        const text = (act.say ?? []).join("");
        item = { type: "message", id: id("msg"), role: "assistant", status: "completed", content: [{ type: "output_text", text, annotations: [] }] };
        yield named("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } });
        for (const delta of act.say ?? []) yield named("response.output_text.delta", { item_id: item.id, output_index: 0, content_index: 0, delta });
      }
      if (act.hang) return;
      yield named("response.output_item.done", { output_index: 0, item });
      yield named("response.completed", {
        response: { ...response, status: "completed", output: [item], usage: { input_tokens: USAGE.input, input_tokens_details: { cached_tokens: 0 }, output_tokens: USAGE.output, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: USAGE.input + USAGE.output } },
      });
    },
  },
  messages: {
    fits: (url) => url.endsWith("/messages"),
    asked(body) {
      const said = body.messages ?? [];
      const results = list(said.at(-1)?.content).filter((part) => part?.type === "tool_result");
      const words = (content) => (typeof content === "string" ? content : list(content).filter(({ type }) => type === "text").map(({ text }) => text).join("\n"));
      return {
        prompts: said.filter(({ role }) => role === "user").map(({ content }) => words(content)),
        answered: results.length > 0 ? results.map(({ content }) => textOf(content)).join("\n") || "nothing" : null,
        images: JSON.stringify(said).split('"type":"image"').length - 1,
        tools: list(body.tools).map(({ name, input_schema }) => ({ name, schema: input_schema })),
      };
    },
    *answer(act, body) {
      const usage = { input_tokens: USAGE.input, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
      yield named("message_start", { message: { id: id("msg"), type: "message", role: "assistant", model: body.model, content: [], stop_reason: null, stop_sequence: null, usage } });
      if (act.call) {
        yield named("content_block_start", { index: 0, content_block: { type: "tool_use", id: id("toolu"), name: act.call.name, input: {} } });
        yield named("content_block_delta", { index: 0, delta: { type: "input_json_delta", partial_json: JSON.stringify(act.call.input) } });
      } else {
        yield named("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
        for (const text of act.say ?? []) yield named("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
      }
      if (act.hang) return;
      yield named("content_block_stop", { index: 0 });
      yield named("message_delta", { delta: { stop_reason: act.call ? "tool_use" : "end_turn", stop_sequence: null }, usage: { output_tokens: USAGE.output } });
      yield named("message_stop", {});
    },
    whole: (act, body) => ({
      id: id("msg"), type: "message", role: "assistant", model: body.model, stop_reason: "end_turn", stop_sequence: null,
      content: [{ type: "text", text: (act.say ?? []).join("") }],
      usage: { input_tokens: USAGE.input, output_tokens: USAGE.output },
    }),
  },
  gemini: {
    fits: (url) => /:(stream)?generateContent$/i.test(url),
    asked(body) {
      const said = body.contents ?? [];
      const last = list(said.at(-1)?.parts).filter((part) => part.functionResponse);
      return {
        prompts: said.filter(({ role, parts }) => role === "user" && !list(parts).some((part) => part.functionResponse)).map(({ parts }) => textOf(parts)),
        answered: last.length > 0 ? JSON.stringify(last.map((part) => part.functionResponse.response)) : null,
        images: JSON.stringify(said).split('"inlineData"').length - 1,
        tools: list(body.tools).flatMap(({ functionDeclarations }) => list(functionDeclarations)).map((tool) => ({ name: tool.name, schema: tool.parametersJsonSchema ?? tool.parameters })),
      };
    },
    *answer(act) {
      const piece = (part, finishReason) => ({
        candidates: [{ index: 0, content: { role: "model", parts: [part] }, ...(finishReason ? { finishReason } : {}) }],
        usageMetadata: { promptTokenCount: USAGE.input, candidatesTokenCount: USAGE.output, totalTokenCount: USAGE.input + USAGE.output },
      });
      if (act.call) yield piece({ functionCall: { name: act.call.name, args: act.call.input } }, "STOP");
      const words = act.say ?? [];
      for (const [at, text] of words.entries()) yield piece({ text }, at === words.length - 1 && !act.hang ? "STOP" : undefined);
    },
    whole: (act) => ({
      candidates: [{ index: 0, content: { role: "model", parts: [{ text: (act.say ?? []).join("") }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: USAGE.input, candidatesTokenCount: USAGE.output, totalTokenCount: USAGE.input + USAGE.output },
    }),
  },
};

let ids = 0;
const id = (kind) => `${kind}_${++ids}`;
const named = (type, value) => ({ event: type, data: { type, ...value } });

/** An event of a stream, as it travels. */
function sse(piece) {
  if (piece === "[DONE]") return "data: [DONE]\n\n";
  return piece.event ? `event: ${piece.event}\ndata: ${JSON.stringify(piece.data)}\n\n` : `data: ${JSON.stringify(piece)}\n\n`;
}

async function answer(request, response) {
  const url = request.url.split("?")[0];
  let text = "";
  for await (const chunk of request) text += chunk;
  const format = Object.values(FORMATS).find((format) => format.fits(url));
  const json = (status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  if (url.endsWith("/models")) return json(200, { object: "list", data: ["stand-in-1", "stand-in-2"].map((id) => ({ id, object: "model" })) });
  if (/:countTokens$|\/count_tokens$/.test(url)) return json(200, { totalTokens: USAGE.input, input_tokens: USAGE.input });
  if (!format) return json(404, { error: { message: `nothing is served at ${url}` } });
  const body = JSON.parse(text || "{}");
  const asked = format.asked(body);
  // What is asked beside the conversation (a title, a summary) offers no tools.
  const prompt = [...asked.prompts].reverse().find((text) => /\bDO \w+/.test(text)) ?? "";
  const act = asked.tools.length > 0 ? next({ ...asked, prompt, text }) : { say: ["A title"] };
  if (process.env.SAY_REQUESTS) console.error(JSON.stringify({ url, prompts: asked.prompts.map((text) => text.slice(-200)), answered: asked.answered?.slice(0, 300), tools: asked.tools.map(({ name }) => name), act }));
  if (act.status) return json(act.status, { error: { type: "invalid_request_error", message: "the script says so", code: act.status } });
  const streams = body.stream || /:streamGenerateContent$/i.test(url) || !format.whole;
  if (!streams) return json(200, format.whole(act, body));
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const piece of format.answer(act, body)) {
    response.write(sse(piece));
    // Each piece is a packet of its own, so that an agent can pass it on before the next.
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  if (!act.hang) response.end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on("end", () => process.exit(0));
