-- loopsafe in Neovim 0.11 or newer. Copy this file to ~/.config/nvim/lsp/loopsafe.lua and put into init.lua:
--   vim.lsp.enable("loopsafe")
return {
  cmd = { "loopsafe", "server" },
  filetypes = { "python" },
  root_markers = { "loopsafe.toml", ".loopsafe.toml", "pyproject.toml", "setup.cfg", "setup.py", ".git" },
  -- The same names as in the configuration file, for example: settings = { loopsafe = { ["min-confidence"] = "certain" } }
  settings = { loopsafe = vim.empty_dict() },
}
