"""Images whose labels are probably wrong, by confident learning on held-out predictions.

Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70
(2021), as implemented by cleanlab.
"""
