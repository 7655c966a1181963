"""The verbs: train, tune, evaluate, predict, export. They know no layer, no input and no
application.
"""
