-- The path of the finding under the cursor as a quickfix list: the start of the thread first, the operation last.
-- Copy this file to ~/.config/nvim/lua/loopsafe_path.lua and put into init.lua:
--   vim.keymap.set("n", "<leader>lp", require("loopsafe_path"))
-- Then :cnext and :cprevious go along the path.
return function()
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  for _, found in ipairs(vim.diagnostic.get(0, { lnum = row })) do
    local related = vim.tbl_get(found, "user_data", "lsp", "relatedInformation")
    if found.source == "loopsafe" and related then
      local client = vim.lsp.get_clients({ bufnr = 0, name = "loopsafe" })[1]
      local places = vim.tbl_map(function(hop) return hop.location end, related)
      local items = vim.lsp.util.locations_to_items(places, client.offset_encoding)
      for at, item in ipairs(items) do
        item.text = related[at].message
      end
      vim.fn.setqflist({}, " ", { title = found.code, items = items })
      vim.cmd("cfirst")
      return
    end
  end
end
