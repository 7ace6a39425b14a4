// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";
import {Credential} from "../support/Trees.sol";
import {Campaign} from "./Campaign.sol";

/// @title What holds after any sequence of calls by anybody
/// @notice Three guard it. `Rules` foretells of each call whether it must succeed, or with which error it must be refused.
/// `Witness` sees after each call that what may move one way only did: keys stay bound as they were, cut-offs move earlier,
/// nonces and status epochs grow, each DID has one issuer. The checks below compare the registry with the ghosts.
///
/// They are one campaign: forge runs another for every function `invariant_…`, with the same calls.
contract RegistryInvariants is Campaign {
    bytes32 private _otherState;

    function setUp() public override {
        super.setUp();
        _otherState = _stateOfOther();
    }

    /// @notice Where forge finds the contracts to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](3);
        (targets[0], targets[1], targets[2]) = (address(_issuers), address(_keys), address(_relayers));
    }

    function invariant_registry() public view {
        _whatIsStoredMovesByTheRules();
        _aVoidOrRevokedBatchNeverVerifies();
        _aRelayedCallRunsOnOneContractOnly();
        vm.assertEq(_registry.issuerCount(), _rules.issuerCount(), "issuers that nobody admitted");
    }

    /// @notice After the last call of each run.
    function afterInvariant() public {
        _audit();
    }

    /* RULES */

    /// Ghosts of revocations only gain bits, those of suspensions lose them by reinstatement only; those of batches are
    /// written when anchored, and by a revocation.
    function _whatIsStoredMovesByTheRules() private view {
        (uint256[] memory slots, uint256[] memory content, uint256[] memory lasting) = _rules.words();
        for (uint256 i = 0; i < slots.length; ++i) {
            uint256 actual = uint256(vm.load(address(_registry), bytes32(slots[i])));
            if (actual == content[i]) continue;
            vm.assertEq(lasting[i] & ~actual, 0, "a revocation was undone");
            vm.assertEq(actual, content[i], "status bits or a batch moved by somebody else");
        }
    }

    /// A sample of one batch an issuer: another one after each of its events.
    function _aVoidOrRevokedBatchNeverVerifies() private view {
        for (uint32 issuer = 1; issuer <= _rules.issuerCount(); ++issuer) {
            uint256 i = uint256(_registry.issuerOf(issuer).head) % _rules.ROOTS();
            vm.assertEq(_verifies(issuer, i), _rules.isGood(issuer, i), "verify does not judge by the rules");
        }
    }

    function _aRelayedCallRunsOnOneContractOnly() private view {
        vm.assertEq(_stateOfOther(), _otherState, "a signature moved a registry that it was not meant for");
    }

    /* PRIVATE */

    function _verifies(uint32 issuer, uint256 rootIndex) private view returns (bool) {
        Credential memory credential = _rules.credentialAt(rootIndex);
        try _registry.verify(
            issuer,
            _rules.rootAt(rootIndex),
            credential.salt,
            credential.list,
            credential.statusIndex,
            credential.credentialHash,
            2,
            _rules.pathAt(rootIndex)
        ) returns (
            uint40
        ) {
            return true;
        } catch {
            return false;
        }
    }

    function _stateOfOther() private view returns (bytes32) {
        return keccak256(abi.encode(_other.registryHead(), _other.issuerOf(1), _other.batchOf(1, _rules.rootAt(0))));
    }
}
