-- Run by scripts/test_neovim.sh, in a folder with a program that has a finding: see it, go along its path, fix it.
local patience = tonumber(vim.env.LOOPSAFE_PATIENCE or "300") * 1000
local editors = vim.env.LOOPSAFE_EDITORS

local function check(holds, what)
  if not holds then
    io.stderr:write("FAILED: " .. what .. "\n")
    vim.cmd("cquit 1")
  end
  io.stdout:write("ok: " .. what .. "\n")
end

local function wait(until_, what)
  check(vim.wait(patience, until_, 20), what)
end

local function row(number)
  return vim.api.nvim_buf_get_lines(0, number - 1, number, false)[1]
end

local settings = dofile(editors .. "/neovim/loopsafe.lua")
settings.cmd = vim.split(vim.env.LOOPSAFE_COMMAND, " ")
vim.lsp.config("loopsafe", settings)
vim.lsp.enable("loopsafe")
vim.cmd("edit app/store.py")

wait(function() return #vim.diagnostic.get(0) == 1 end, "the finding is shown")
local found = vim.diagnostic.get(0)[1]
check(found.code == "LSF102" and found.severity == vim.diagnostic.severity.ERROR, "it is LSF102, an error")
vim.api.nvim_win_set_cursor(0, { found.lnum + 1, found.col })
check(row(found.lnum + 1):sub(found.col + 1, found.end_col) == "self._readings.put_nowait(reading)", "it is at the call")

dofile(editors .. "/neovim/path.lua")()
local list = vim.fn.getqflist()
check(#list == 3, "the path has three hops")
check(vim.fn.expand("%:t") == "sensor.py" and vim.fn.getline("."):find("class Sensor"), "it starts at the thread's class")
vim.cmd("cnext")
check(vim.fn.getline("."):find("self._store.add", 1, true) ~= nil, "it goes on at the call of the store")
wait(function() return #vim.diagnostic.get(0) == 1 end, "the file on the path is told, too")
vim.cmd("cnext")
check(vim.fn.expand("%:t") == "store.py" and vim.fn.line(".") == found.lnum + 1, "it ends at the operation")

local client = vim.lsp.get_clients({ name = "loopsafe" })[1]
local function ask(method, params)
  local reply = client:request_sync(method, params, patience, 0)
  return reply and reply.result
end
local place = vim.lsp.util.make_position_params(0, client.offset_encoding)
place.position = { line = 8, character = 9 }
local hover = ask("textDocument/hover", place)
check(hover and hover.contents.value:find("on a worker thread", 1, true), "hovering says where the function runs")
check(#ask("textDocument/codeLens", { textDocument = place.textDocument }) == 1, "there is a lens above it")

vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.isPreferred end })
wait(function() return row(found.lnum + 1):find("call_soon_threadsafe", 1, true) ~= nil end, "the fix is applied")
wait(function() return #vim.diagnostic.get(0) == 0 end, "the finding is gone")
vim.cmd("undo")
wait(function() return #vim.diagnostic.get(0) == 1 end, "it is there again when the fix is undone")
local version = vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()]
check(version ~= nil and version > 0, "the text has a version")

client:stop()
wait(function() return client:is_stopped() end, "the server ends")
vim.cmd("qall!")
