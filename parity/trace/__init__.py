"""Recording a run: every module call, every local variable a line binds, every gradient, in execution order."""
