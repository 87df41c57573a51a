"""One module an engine: how its wire differs, as measured on the program itself or told by its documentation.

Names, methods, capabilities and shapes are the engine's; texts and lists of models are shortened. What an
engine advertises and the rehearsal agent does not do (forks, providers, steering, system prompts) is left out.
"""
