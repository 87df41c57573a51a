"""Real agent programs, the editor before them and the model behind them."""
